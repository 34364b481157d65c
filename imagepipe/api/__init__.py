"""What front ends without templates read."""
