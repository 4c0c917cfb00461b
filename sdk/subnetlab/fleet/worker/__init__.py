"""What runs in the processes of a fleet where torch is loaded; the supervisor imports none of it."""
