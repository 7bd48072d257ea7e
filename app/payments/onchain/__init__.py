"""Bitcoin SV, straight to the seller's own keys."""
