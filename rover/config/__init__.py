"""The configuration: its sections here, how files become one in ``rover.config.files``."""

from rover.config.base import Section
from rover.config.camera import CameraConfig
from rover.config.pads import (
    BindingsConfig,
    GamepadConfig,
    PadButtonsConfig,
    PadConfig,
    PadStickConfig,
    PadTriggerConfig,
)
from rover.config.sections import (
    Config,
    DeadlineConfig,
    GateConfig,
    LoopConfig,
    MaintenanceConfig,
    MotionConfig,
    MotorConfig,
    PanelConfig,
    PowerConfig,
    RoboclawConfig,
    RoverConfig,
    SteerConfig,
    SteeringConfig,
    StickConfig,
    WebConfig,
    WheelConfig,
)

__all__ = [
    "BindingsConfig",
    "CameraConfig",
    "Config",
    "DeadlineConfig",
    "GamepadConfig",
    "GateConfig",
    "LoopConfig",
    "MaintenanceConfig",
    "MotionConfig",
    "MotorConfig",
    "PadButtonsConfig",
    "PadConfig",
    "PadStickConfig",
    "PadTriggerConfig",
    "PanelConfig",
    "PowerConfig",
    "RoboclawConfig",
    "RoverConfig",
    "Section",
    "SteerConfig",
    "SteeringConfig",
    "StickConfig",
    "WebConfig",
    "WheelConfig",
]
