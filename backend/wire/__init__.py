"""What goes over the wire: protobuf definitions, the code made from them, and conversions to core's words."""
