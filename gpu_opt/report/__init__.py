"""Results as tables for a terminal: pure functions from a result to what rich can print.

Nothing here computes a decision: every figure is in the result, or is a sum or a difference of such.
"""
