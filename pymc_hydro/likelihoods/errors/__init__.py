"""The error model that all likelihoods share: observations, scale, memory, families."""
