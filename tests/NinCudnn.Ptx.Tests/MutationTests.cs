using NinCudnn.Operators;
using NinCudnn.Ptx.Tests.Kernels;
using NinCudnn.Ptx.Tests.Ptx;
using Xunit;
using Xunit.Sdk;

namespace NinCudnn.Ptx.Tests;

/// <summary>Mistakes put into the shipped PTX, which the interpreter or the comparison with the host provider must notice.</summary>
public class MutationTests
{
    // Replaces all occurrences in the entry's text.
    private static PtxModule Mutated(string family, string entry, string from, string to)
    {
        string text = ShippedPtx.Text(family);
        int begin = text.IndexOf($".entry {entry}(", StringComparison.Ordinal);
        int end = text.IndexOf(".entry ", begin + 1, StringComparison.Ordinal);
        string body = end < 0 ? text[begin..] : text[begin..end];
        Assert.Contains(from, body, StringComparison.Ordinal);
        return PtxParser.Parse(family + ".ptx", text.Replace(body, body.Replace(from, to, StringComparison.Ordinal), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("setp.ge.s64", "setp.gt.s64", 2, 100, 64)] // the first index beyond the end belongs to a thread of its own
    [InlineData("setp.lt.s64", "setp.le.s64", 1, 32, 0)] // the first index beyond the end is a thread's second
    public void Optimizer_BoundsCheckOffByOne_IsOutOfBounds(string from, string to, uint blocks, uint blockSize, int thread)
    {
        PtxModule module = Mutated("optimizer", "sgd_step_f32", from, to);
        KernelCase test = OptimizerTests.Case(DataType.Float32, blocks, blockSize, 64);
        PtxException failure = Assert.Throws<PtxException>(() => test.CheckSameBits(module));
        Assert.Matches(
            $@"^optimizer\.ptx\(\d+\): `ld\.global.*`: sgd_step_f32, block 0, thread {thread}: load of 4 bytes .*gradient\[byte 256\], outside its 256 bytes$",
            failure.Message);
    }

    [Fact]
    public void Optimizer_ParameterOfAnotherType_IsRefused() =>
        Refused("from a parameter of .f64", () => Mutated("optimizer", "sgd_step_f32", ".param .f32", ".param .f64"));

    [Fact]
    public void Optimizer_SumThatMayBeFused_IsRefused() =>
        Refused("unknown instruction add.f32", () => Mutated("optimizer", "sgd_step_f32", "add.rn.f32", "add.f32"));

    [Fact]
    public void Optimizer_NonCoherentLoadOfWhatIsWritten_IsRefused()
    {
        PtxModule module = Mutated("optimizer", "sgd_step_f32", "ld.global.f32", "ld.global.nc.f32");
        Refused("loaded non-coherently", () => OptimizerTests.Case(DataType.Float32, 1, 32, 64).CheckSameBits(module));
    }

    [Theory]
    [InlineData("setp.lt.u32", "setp.le.u32")] // the word that equals the threshold
    [InlineData("mul.hi.u32", "mul.lo.u32")]
    [InlineData("mul.rn.f32", "add.rn.f32")]
    public void Dropout_OtherInstruction_Differs(string from, string to)
    {
        const uint WordOfElement0 = 0x7fff8d7f;
        PtxModule module = Mutated("dropout", "dropout_forward_f32", from, to);
        Differs(DropoutTests.Case("forward", DataType.Float32, 1, 32, Elements.From(TestData.Numbers(64, 1)), WordOfElement0, scale: 3), module);
    }

    [Fact]
    public void Activation_NanTakenAsOff_Differs() => Differs(
        ActivationTests.ReluBiasBackward(DataType.Float32, 1, 32, 37, 10, 5),
        Mutated("activation", "relu_bias_backward_f32", "setp.le.f32", "setp.leu.f32"));

    [Fact]
    public void Activation_AlignmentCheckedForElementsOnly_IsMisaligned()
    {
        PtxModule module = Mutated("activation", "relu_bias_backward_f32", ", 15;", ", 3;");
        KernelCase test = ActivationTests.ReluBiasBackward(DataType.Float32, 1, 32, 8, 96, 4, dyMisalignment: 1);
        Refused("misaligned load of 16 bytes", () => test.CheckSameBits(module));
    }

    [Theory]
    [InlineData("shr.s32", "shr.u32")]
    [InlineData("min.s32", "max.s32")]
    [InlineData("div.rn.f32", "mul.rn.f32")]
    public void Input_OtherInstruction_Differs(string from, string to) => Differs(
        InputTests.Case(DataType.Float32, 1, 32, InputTests.Larger, 1, [0], InputTests.OvershootingWeights),
        Mutated("input", "input_forward_f32", from, to));

    // The gradient overwrites the logits before all lanes have read them.
    [Fact]
    public void Loss_WithoutBarrier_DependsOnTheThreadsOrder()
    {
        PtxModule module = Mutated("loss", "softmax_cross_entropy_f32", "bar.warp.sync 0xffffffff;", "");
        KernelCase test = SoftmaxTests.CrossEntropy(
            DataType.Float32, 1, 32, SoftmaxTests.Logits(DataType.Float32, 2, 70), 2, 70, [31, 40], [0, 1], SoftmaxTests.Gradient.InPlace);
        Assert.Contains("descending", Assert.ThrowsAny<XunitException>(() => test.Interpret(module)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loss_HalfTheWarpInTheMask_IsRefused()
    {
        PtxModule module = Mutated("loss", "loss_accumulate", "0xffffffff;", "0x0000ffff;");
        Refused("not in its own mask", () => LossAccumulateTests.Case(1, 32, TestData.Numbers(40, 1)).CheckSameBits(module));
    }

    private static void Refused(string reason, Action action) =>
        Assert.Contains(reason, Assert.Throws<PtxException>(action).Message, StringComparison.Ordinal);

    private static void Differs(KernelCase test, PtxModule module)
    {
        XunitException failure = Assert.ThrowsAny<XunitException>(() => test.CheckSameBits(module));
        Assert.Contains("the interpreter against the host provider", failure.Message, StringComparison.Ordinal);
    }
}
