"""Where do prosumers live, and what carries messages to them and back? In this process, in worker processes, on Ray."""
