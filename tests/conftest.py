"""What every test shares: how hypothesis searches, here and in CI."""

import os

from hypothesis import settings

# No deadline: two cores under a whole suite make any single example slow at times.
settings.register_profile("here", deadline=None)
# The same examples at every run, so that a red build is a change's doing and not luck's.
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
