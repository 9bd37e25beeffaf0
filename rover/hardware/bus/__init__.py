"""Framing and checksums (pure), and the transports that carry bytes within a deadline."""
