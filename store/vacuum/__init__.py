"""Events out of what programs print: lines that are JSON objects with the number `"_e": 1`, among
any other output; and, when asked for, ordinary logs.

`sieve` finds the lines by their bytes and is light; `events` makes objects of them.
"""
