"""Orders: placed, paid by a worker, shipped or cancelled, expired when nobody pays."""
