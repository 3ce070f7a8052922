"""What an expression is: its nodes, shapes and values, and constructors that tidy."""
