"""Pictures by what they mean and who made them, in the layout of Market-1501."""
