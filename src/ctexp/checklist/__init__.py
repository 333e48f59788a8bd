"""What a record lacks to be reproduced, understood and found again: `inv audit-tracking`."""
