"""The searches of a calibration: rounds, which of them go on, and the threads they share."""
