"""`rover doctor`: a walk from the power supply to the wheel, with one thing to do for each trouble.

Nothing here moves anything: controllers are only asked, and only where no control has the bus.
"""
