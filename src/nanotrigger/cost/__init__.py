"""What firmware costs on the chip, each number with its source."""
