"""Kinds of mistakes, a file each; each tells what the gradient would be if it had been made."""
