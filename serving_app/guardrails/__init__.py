"""What may be said in a workspace: rules over prompts and answers. Pure: it knows texts and bodies, no rows, no sockets."""
