"""What intakes rejected, masked, in a folder of the store: bounded, and for people to read.

`reading` is light; `box` writes, off the path of what comes in.
"""
