# Example of timing constraints for {name}.v, in the form that Quartus and other tools read. In a project with several
# networks the clock is created once. Inputs and outputs are given the whole period from or to the port: replace the
# zeros by the delays of the logic around. To fit the module alone, make its ports virtual pins.
create_clock -name clock -period {clock_period:.3f} [get_ports clock]
derive_clock_uncertainty
set_input_delay -clock clock 0 [get_ports {{reset in_valid features[*]}}]
set_output_delay -clock clock 0 [get_ports {{out_valid outputs[*]}}]
