"""The steps of calibrating a rover: motors, steering, odometry, battery.

Each is a conversation that knows neither terminal nor page nor link: it takes in what a person
says and what the rover tells, and says what to show and what may move.
"""
