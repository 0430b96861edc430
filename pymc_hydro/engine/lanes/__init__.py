"""Many runs at once: one run in each lane of the processor's registers."""
