"""The sub-commands of ``pymc-hydro``. They call public functions only."""
