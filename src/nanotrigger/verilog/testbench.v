// Self-checking: feeds the events of inputs.txt, one a cycle, and compares all words with those of expected.txt.
// Ends with PASS, or with FAIL and a fatal error. Other files: vvp testbench.vvp +inputs=FILE +expected=FILE
`default_nettype none

module {name}_testbench;
    localparam INPUTS = {inputs};
    localparam INPUT_WIDTH = {input_width};
    localparam OUTPUTS = {outputs};
    localparam OUTPUT_WIDTH = {output_width};
    localparam LATENCY = {latency};
    localparam SHOWN = 10;  // differences

    reg clock = 0;
    reg reset = 1;
    reg in_valid = 0;
    reg [INPUTS*INPUT_WIDTH-1:0] features;
    wire out_valid;
    wire [OUTPUTS*OUTPUT_WIDTH-1:0] outputs;

    {name} network (
        .clock(clock), .reset(reset), .in_valid(in_valid), .features(features), .out_valid(out_valid), .outputs(outputs)
    );

    reg [8*1024-1:0] inputs_path, expected_path;
    reg signed [63:0] word, found;
    integer inputs, expected, index, fields, waited;
    integer fed = 0, checked = 0, differing = 0;
    reg ended = 0;

    always #1 clock = ~clock;

    task feed;  // the next event, if there is one
        begin
            in_valid = 0;
            for (index = 0; index < INPUTS && !ended; index = index + 1) begin
                fields = $fscanf(inputs, "%d", word);
                if (fields == 1) features[index*INPUT_WIDTH +: INPUT_WIDTH] = word[INPUT_WIDTH-1:0];
                else if (index == 0 && $feof(inputs)) ended = 1;
                else $fatal(1, "FAIL: inputs, event %0d: no word %0d", fed, index);
            end
            if (!ended) begin
                in_valid = 1;
                fed = fed + 1;
            end
        end
    endtask

    task check;  // the event that leaves the network
        begin
            for (index = 0; index < OUTPUTS; index = index + 1) begin
                fields = $fscanf(expected, "%d", word);
                if (fields != 1) $fatal(1, "FAIL: expected, event %0d: no word %0d", checked, index);
                found = {sign}(outputs[index*OUTPUT_WIDTH +: OUTPUT_WIDTH]);
                if (found !== word) begin
                    differing = differing + 1;
                    if (differing <= SHOWN)
                        $display("event %0d, output %0d: %0d instead of %0d", checked, index, found, word);
                end
            end
            checked = checked + 1;
        end
    endtask

    initial begin
        if (!$value$plusargs("inputs=%s", inputs_path)) inputs_path = "../tb_data/inputs.txt";
        if (!$value$plusargs("expected=%s", expected_path)) expected_path = "../tb_data/expected.txt";
        inputs = $fopen(inputs_path, "r");
        expected = $fopen(expected_path, "r");
        if (inputs == 0) $fatal(1, "FAIL: cannot read %0s", inputs_path);
        if (expected == 0) $fatal(1, "FAIL: cannot read %0s", expected_path);
        repeat (2) @(negedge clock);
        reset = 0;
        for (waited = 0; waited <= LATENCY; waited = ended ? waited + 1 : 0) begin
            feed;
            @(negedge clock);
            if (out_valid) check;
        end
        fields = $fscanf(expected, "%d", word);
        if (fields == 1) $fatal(1, "FAIL: expected has more than the %0d events of inputs", fed);
        if (checked != fed || fed == 0) $fatal(1, "FAIL: %0d events in, %0d out", fed, checked);
        if (differing != 0) $fatal(1, "FAIL: %0d of %0d words differ", differing, checked * OUTPUTS);
        $display("PASS: %0d words of %0d events are equal", checked * OUTPUTS, checked);
        $finish;
    end
endmodule

`default_nettype wire
