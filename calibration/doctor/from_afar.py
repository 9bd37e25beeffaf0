"""The walk that the web server takes: what it may see itself, and what control says.

Nothing here imports a driver; the server has no right to any device and opens none.
"""

from calibration.doctor.computer import COMPUTER
from calibration.doctor.port import CONSOLE
from calibration.doctor.services import SERVICES
from calibration.doctor.told import CONTROL, TOLD

FROM_AFAR = (*COMPUTER, CONSOLE, *SERVICES, *CONTROL, *TOLD)
