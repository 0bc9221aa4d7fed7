"""Icons, their meanings and the artists who drew them, in the layout of Market-1501."""
