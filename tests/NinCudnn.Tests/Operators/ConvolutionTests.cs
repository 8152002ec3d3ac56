using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

/// <summary>Against plain loops, on integers: whatever the algorithm, the sums are exact (see <see cref="TestNumbers"/>).</summary>
public class ConvolutionTests
{
    // Products are at most 4·3 = 12, so up to 2²⁴ / 12 of them add up exactly. The longest sum has C·R·S = 7·11·11 = 847.
    private const int InputBound = 4;
    private const int FilterBound = 3;

    public static TheoryData<ConvolutionShape> Shapes() =>
    [
        new ConvolutionShape(new TensorShape(1, 1, 5, 7), 1, 3, 2),
        new ConvolutionShape(new TensorShape(2, 3, 9, 6), 5, 3, 5, 2, 1, 1, 2), // R≠S, other stride and padding in each direction
        new ConvolutionShape(new TensorShape(1, 7, 13, 12), 3, 11, 11, 4, 1), // rows and columns at the end that no window reaches
        new ConvolutionShape(new TensorShape(2, 1, 23, 19), 12, 11, 11, 4, 1), // as the network's first layer
        new ConvolutionShape(new TensorShape(2, 9, 8, 10), 1, 2, 4, 3, 2, 1, 0),
        new ConvolutionShape(new TensorShape(1, 2, 2, 2), 3, 5, 5, 1, 2), // the kernel is larger than the image
        new ConvolutionShape(new TensorShape(3, 4, 3, 5), 6, 3, 5), // and as large as the image
        new ConvolutionShape(new TensorShape(2, 16, 7, 5), 24, 3, 3, 1, 1),
        new ConvolutionShape(new TensorShape(2, 4, 6, 5), 3, 1, 1, 2), // 1×1, but no plain matrix product
        new ConvolutionShape(new TensorShape(2, 3, 3, 4), 2, 1, 1, 1, 1), // borders see nothing but the bias
    ];

    public static TheoryData<ConvolutionShape> PointwiseShapes() =>
    [
        new ConvolutionShape(new TensorShape(1, 1, 1, 1), 1, 1, 1),
        new ConvolutionShape(new TensorShape(3, 5, 4, 9), 7, 1, 1),
        new ConvolutionShape(new TensorShape(2, 6, 5, 3), 10, 1, 1),
        new ConvolutionShape(new TensorShape(1, 33, 2, 3), 1, 1, 1),
        new ConvolutionShape(new TensorShape(5, 1, 3, 2), 17, 1, 1),
        new ConvolutionShape(new TensorShape(2, 96, 6, 7), 96, 1, 1),
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    [MemberData(nameof(PointwiseShapes))]
    public void Forward_Integers_EqualsPlainLoops(ConvolutionShape shape)
    {
        using var run = new ConvolutionRun(shape);
        float[] expected = PlainConvolution.Forward(shape, run.X, run.W, run.B);

        Check(run.Forward(Activation.None), expected, shape.Output, $"y of {shape}");
        Check(run.Forward(Activation.Relu), [.. expected.Select(value => Math.Max(value, 0))], shape.Output, $"y of {shape} with a rectifier");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    [MemberData(nameof(PointwiseShapes))]
    public void BackwardData_Integers_EqualsPlainLoops(ConvolutionShape shape)
    {
        using var run = new ConvolutionRun(shape);
        Check(run.BackwardData(), PlainConvolution.BackwardData(shape, run.W, run.Dz), shape.Input, $"dx of {shape}");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    [MemberData(nameof(PointwiseShapes))]
    public void BackwardFilter_Integers_EqualsPlainLoops(ConvolutionShape shape)
    {
        using var run = new ConvolutionRun(shape);
        float[] dw = run.BackwardFilter();
        Comparison.Check<float>(
            dw, PlainConvolution.BackwardFilter(shape, run.X, run.Dz), [shape.K, shape.R, shape.S, shape.Input.C], Tolerance.Exact, $"dw of {shape}");
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    [MemberData(nameof(PointwiseShapes))]
    public void Calls_OneByteTooShort_AreRefused(ConvolutionShape shape)
    {
        using var run = new ConvolutionRun(shape);
        foreach (Activation activation in Enum.GetValues<Activation>())
            run.CheckShortOperands(activation);
    }

    [Fact]
    public void Create_PaddedFilterLargerThanInput_IsRefused()
    {
        using var fixture = new OperatorFixture();
        var shape = new ConvolutionShape(new TensorShape(1, 1, 3, 3), 1, 5, 5);
        var error = Assert.Throws<ArgumentException>(() => ConvolutionOperator.Create(fixture.Stream, shape, Activation.Relu));
        Assert.Equal("5×5 kernel on 3×3 input with padding 0,0", error.Message);
    }

    [Fact]
    public void Create_NoAdmissibleWorkspace_SaysWhatWasRefused()
    {
        // Either an algorithm needs no scratch memory at all, or the message lists what each one wanted.
        using var fixture = new OperatorFixture();
        var shape = new ConvolutionShape(new TensorShape(2, 16, 7, 5), 24, 3, 3, 1, 1);
        ConvolutionOperator convolution = fixture.Own(
            ConvolutionOperator.Create(fixture.Stream, shape, Activation.None, new OperatorOptions { WorkspaceLimit = 0 }));

        Exception? error = Record.Exception(() => Assert.Equal(0, convolution.ForwardWorkspaceBytes));

        if (error is not null)
            Assert.Contains("the limit is 0", Assert.IsType<NotSupportedException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pointwise_AndItsCudnnTwin_Agree()
    {
        // The same 1×1 convolution as matrix product and as one of twice the width with stride 2, whose odd columns nobody reads.
        var shape = new ConvolutionShape(new TensorShape(2, 6, 5, 3), 10, 1, 1);
        var wide = new ConvolutionShape(shape.Input with { W = 6 }, 10, 1, 1, 1, 2, 0, 0);
        Assert.True(shape.IsPointwise && !wide.IsPointwise);
        using ConvolutionRun run = new(shape), twin = new(wide);
        for (int pixel = 0; pixel < shape.Input.Rows; pixel++)
            run.X.AsSpan(pixel * 6, 6).CopyTo(twin.X.AsSpan(pixel * 12));

        Assert.Equal(run.Forward(Activation.Relu), twin.Forward(Activation.Relu));
    }

    private static void Check(float[] actual, float[] expected, TensorShape shape, string what)
    {
        Comparison.Check<float>(actual, expected, [shape.N, shape.H, shape.W, shape.C], Tolerance.Exact, what + ", NHWC");
    }

    /// <summary>Operands of one shape and the calls on them.</summary>
    private sealed class ConvolutionRun(ConvolutionShape shape) : IDisposable
    {
        private readonly OperatorFixture _fixture = new();

        public float[] X { get; } = TestNumbers.Integers(shape.Input.Count, InputBound, 1);

        public float[] W { get; } = TestNumbers.Integers(shape.FilterCount, FilterBound, 2);

        public float[] B { get; } = TestNumbers.Integers(shape.K, 10, 3);

        public float[] Dz { get; } = TestNumbers.Integers(shape.Output.Count, FilterBound, 4);

        public float[] Forward(Activation activation)
        {
            ConvolutionOperator convolution = Create(activation);
            DeviceMemory x = Upload(X), w = Upload(W), b = Upload(B), y = _fixture.Output(shape.Output.Count * sizeof(float));
            convolution.Forward(x, w, b, y, _fixture.Output(convolution.ForwardWorkspaceBytes));
            float[] result = _fixture.Download<float>(y);
            Assert.Equal(X, _fixture.Download<float>(x));
            Assert.Equal(W, _fixture.Download<float>(w));
            Assert.Equal(B, _fixture.Download<float>(b));
            return result;
        }

        public float[] BackwardData()
        {
            ConvolutionOperator convolution = Create(Activation.None);
            DeviceMemory w = Upload(W), dz = Upload(Dz), dx = _fixture.Output(shape.Input.Count * sizeof(float));
            convolution.BackwardData(w, dz, dx, _fixture.Output(convolution.BackwardDataWorkspaceBytes));
            float[] result = _fixture.Download<float>(dx);
            Assert.Equal(W, _fixture.Download<float>(w));
            Assert.Equal(Dz, _fixture.Download<float>(dz));
            return result;
        }

        public float[] BackwardFilter()
        {
            ConvolutionOperator convolution = Create(Activation.None);
            DeviceMemory x = Upload(X), dz = Upload(Dz), dw = _fixture.Output(shape.FilterCount * sizeof(float));
            convolution.BackwardFilter(x, dz, dw, _fixture.Output(convolution.BackwardFilterWorkspaceBytes));
            float[] result = _fixture.Download<float>(dw);
            Assert.Equal(X, _fixture.Download<float>(x));
            Assert.Equal(Dz, _fixture.Download<float>(dz));
            return result;
        }

        public void CheckShortOperands(Activation activation)
        {
            ConvolutionOperator c = Create(activation);
            DeviceMemory x = Upload(X), w = Upload(W), b = Upload(B), dz = Upload(Dz), y = _fixture.Output(dz.Bytes);
            CheckShort(o => c.Forward(o[0], o[1], o[2], o[3], o[4]), x, w, b, y, _fixture.Output(c.ForwardWorkspaceBytes));
            CheckShort(o => c.BackwardData(o[0], o[1], o[2], o[3]), w, dz, _fixture.Output(x.Bytes), _fixture.Output(c.BackwardDataWorkspaceBytes));
            CheckShort(o => c.BackwardFilter(o[0], o[1], o[2], o[3]), x, dz, _fixture.Output(w.Bytes), _fixture.Output(c.BackwardFilterWorkspaceBytes));
            Assert.All(_fixture.Download<float>(y), value => Assert.True(float.IsNaN(value))); // nothing was queued
        }

        public void Dispose() => _fixture.Dispose();

        private ConvolutionOperator Create(Activation activation) =>
            _fixture.Own(ConvolutionOperator.Create(_fixture.Stream, shape, activation));

        private DeviceMemory Upload(float[] values) => _fixture.Upload<float>(values);

        private static void CheckShort(Action<DeviceMemory[]> call, params DeviceMemory[] operands) =>
            OperatorFixture.CheckShortOperands(call, operands);
    }
}
