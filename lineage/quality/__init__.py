"""How good data is: metrics, anomalies, scores (semantics 20)."""
