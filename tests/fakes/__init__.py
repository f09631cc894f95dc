"""Strict protocol fakes of cloud services that have no usable emulator, in process and on loopback."""
