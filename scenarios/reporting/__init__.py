"""What does a saved run say of itself, and in what do saved runs differ? Its page, its tables, comparisons."""
