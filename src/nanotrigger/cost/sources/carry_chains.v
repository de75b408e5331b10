// Every sum and every difference becomes a carry chain of its own. Yosys may have left no bit of a constant A.

(* techmap_celltype = "$add" *)
module carry_chain_of_sum (A, B, Y);
    parameter A_SIGNED = 0;
    parameter B_SIGNED = 0;
    parameter A_WIDTH = 1;
    parameter B_WIDTH = 1;
    parameter Y_WIDTH = 1;
    input [(A_WIDTH > 0 ? A_WIDTH : 1)-1:0] A;
    input [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;
    wire [Y_WIDTH-1:0] unused_x, unused_co;
    \$alu #(
        .A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED), .A_WIDTH(A_WIDTH > 0 ? A_WIDTH : 1), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
    ) _TECHMAP_REPLACE_ (.A(A), .B(B), .Y(Y), .CI(1'b0), .BI(1'b0), .X(unused_x), .CO(unused_co));
endmodule

(* techmap_celltype = "$sub" *)
module carry_chain_of_difference (A, B, Y);
    parameter A_SIGNED = 0;
    parameter B_SIGNED = 0;
    parameter A_WIDTH = 1;
    parameter B_WIDTH = 1;
    parameter Y_WIDTH = 1;
    input [(A_WIDTH > 0 ? A_WIDTH : 1)-1:0] A;
    input [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;
    wire [Y_WIDTH-1:0] unused_x, unused_co;
    \$alu #(
        .A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED), .A_WIDTH(A_WIDTH > 0 ? A_WIDTH : 1), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
    ) _TECHMAP_REPLACE_ (.A(A), .B(B), .Y(Y), .CI(1'b1), .BI(1'b1), .X(unused_x), .CO(unused_co));
endmodule
