"""What a step needs of the device's memory, and what happens when there is less."""
