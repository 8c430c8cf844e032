"""From results to one self-contained HTML page; no model is loaded."""
