"""What every room uses: files written whole, random numbers, optional packages, paths."""
