"""Two runs side by side: predictions, metrics, histories, weights, configurations, machines."""
