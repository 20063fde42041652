"""Action heads: families of distributions over what a seat may do."""
