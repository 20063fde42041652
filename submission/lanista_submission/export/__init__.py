"""A policy on its way out: to ONNX, compared with torch and with the numpy runtime on recorded observations."""
