"""What every room uses: files that are never half written, random numbers, optional packages."""
