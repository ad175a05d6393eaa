"""`eventdeck run`: a command as it always was, and the events that it prints or sends.

Light, as the command waits for it: no Polars, no Arrow.
"""
