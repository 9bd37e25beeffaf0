"""`rover setup roboclaw`: motor controllers set up for this rover, without the vendor's program.

Everything is read and saved first, written once, read back, and can be put back.
"""
