"""What a pass does with each chunk of rows, and what it brings back: parts that merge.

A work is a small record that travels to threads and to other machines; called on `Rows` it
returns its part of the result. Parts are merged in the order of the rows, so that a result is the
same to the last bit however many threads there were.
"""
