"""Control software for six-wheel rocker-bogie rovers, real or simulated."""
