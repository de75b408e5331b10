// A fully unrolled quantized network: one event in every clock cycle.
//
// Whenever in_valid is high, features hold an event; {latency} cycles later out_valid is high, and outputs hold its
// outputs. reset clears out_valid alone: a datapath without feedback forgets on its own.
//
//   features  {inputs} words of {input_width} bits, {input_format}
//   outputs   {outputs} words of {output_width} bits, {output_format}
//
// Word number 0 lies in the lowest bits. A pipeline stage {rule}.
// Of a signal's name, _x5 and _xm5 are its products with 5 and -5, and _d2 is the signal two clock cycles later;
// dense_1_n7 is the result of neuron 7.
`default_nettype none

module {name} (
    input  wire clock,
    input  wire reset,
    input  wire in_valid,
    input  wire [{features_high}:0] features,
    output wire out_valid,
    output wire [{outputs_high}:0] outputs
);
    localparam LATENCY = {latency};

    reg [LATENCY-1:0] valid;
    always @(posedge clock) valid <= reset ? 0 : (valid << 1) | in_valid;
    assign out_valid = valid[LATENCY-1];

{input_register}    {name}_datapath datapath (.clock(clock), .features({datapath_inputs}), .outputs(outputs));
endmodule

{datapath}
`default_nettype wire
