"""How a training runs on the machine at hand: device, number format, threads, captured steps, what it keeps."""
