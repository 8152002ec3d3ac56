using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class ReluTests
{
    // Rows beyond one tile (64), channels that fill 16 bytes and that do not, a single element.
    public static TheoryData<TensorShape> Shapes() =>
    [
        new TensorShape(1, 1, 1, 1),
        new TensorShape(2, 3, 9, 5),
        new TensorShape(1, 8, 4, 16),
        new TensorShape(3, 10, 5, 5),
        new TensorShape(4, 12, 13, 11),
        new TensorShape(1, 1, 65, 1),
        new TensorShape(1, 129, 1, 2),
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardInPlace_Integers_CutsOffBelowZero(TensorShape shape)
    {
        using var fixture = new OperatorFixture();
        Relu relu = fixture.Own(new Relu(fixture.Stream, shape));
        float[] x = TestNumbers.Integers(shape.Count, 3, 1);
        DeviceMemory memory = fixture.Upload<float>(x);

        relu.Forward(memory, memory);

        Assert.Equal(x.Select(value => Math.Max(value, 0)), fixture.Download<float>(memory));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Backward_Integers_EqualsPlainLoops(TensorShape shape)
    {
        using var fixture = new OperatorFixture();
        Relu relu = fixture.Own(new Relu(fixture.Stream, shape));
        float[] y = [.. TestNumbers.Integers(shape.Count, 3, 2).Select(value => Math.Max(value, 0))], dy = TestNumbers.Integers(shape.Count, 8, 3);
        DeviceMemory output = fixture.Upload<float>(y), gradient = fixture.Upload<float>(dy), db = fixture.Output(shape.C * sizeof(float));

        relu.Backward(output, gradient, db, fixture.Output(relu.BackwardWorkspaceBytes));

        float[] dz = [.. dy.Select((value, i) => y[i] > 0 ? value : 0)];
        float[] expected = [.. Enumerable.Range(0, shape.C).Select(c => dz.Where((_, i) => i % shape.C == c).Sum())];
        int[] dimensions = [shape.N, shape.H, shape.W, shape.C];
        Comparison.Check<float>(fixture.Download<float>(gradient), dz, dimensions, Tolerance.Exact, $"dz of {shape}, NHWC");
        Comparison.Check<float>(fixture.Download<float>(db), expected, [shape.C], Tolerance.Exact, $"db of {shape}");
        Assert.Equal(y, fixture.Download<float>(output));
    }

    [Fact]
    public void Nan_StaysNan_AndPassesTheGradientOn()
    {
        using var fixture = new OperatorFixture();
        var shape = new TensorShape(1, 1, 1, 4);
        Relu relu = fixture.Own(new Relu(fixture.Stream, shape));
        DeviceMemory memory = fixture.Upload<float>([float.NaN, -1, 2, float.NegativeInfinity]), dy = fixture.Upload<float>([5, 6, 7, 8]);
        DeviceMemory db = fixture.Output(sizeof(float));

        relu.Forward(memory, memory);
        relu.Backward(memory, dy, db, fixture.Output(relu.BackwardWorkspaceBytes));

        Assert.Equal([float.NaN, 0, 2, 0], fixture.Download<float>(memory));
        Assert.Equal([5, 0, 7, 0], fixture.Download<float>(dy));
        Assert.Equal([12], fixture.Download<float>(db));
    }

    [Fact]
    public void Calls_OneByteTooShort_AreRefused()
    {
        using var fixture = new OperatorFixture();
        var shape = new TensorShape(2, 3, 9, 5);
        Relu relu = fixture.Own(new Relu(fixture.Stream, shape));
        DeviceMemory Activations() => fixture.Output(shape.Count * sizeof(float));
        OperatorFixture.CheckShortOperands(o => relu.Forward(o[0], o[1]), Activations(), Activations());
        OperatorFixture.CheckShortOperands(
            o => relu.Backward(o[0], o[1], o[2], o[3]), Activations(), Activations(), fixture.Output(3 * sizeof(float)), fixture.Output(relu.BackwardWorkspaceBytes));
    }
}
