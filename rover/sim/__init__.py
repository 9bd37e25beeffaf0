"""A rover's worth of simulated devices, answering at the level of bytes and registers."""
