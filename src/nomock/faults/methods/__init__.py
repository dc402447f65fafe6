"""The fixture ``faults`` has one method for each kind of fault; they stand here, by group."""
