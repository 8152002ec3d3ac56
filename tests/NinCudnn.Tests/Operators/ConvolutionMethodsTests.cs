using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

/// <summary>Every method that the device offers, in every form of the operands, against plain loops on small integers.</summary>
public class ConvolutionMethodsTests
{
    private static readonly TensorForm _nhwc = TensorForm.Native(DataType.Float32);
    private static readonly TensorForm _nchw = _nhwc with { Layout = cudnnTensorFormat_t.CUDNN_TENSOR_NCHW };

    public static TheoryData<ConvolutionShape, DataType, bool> Cases()
    {
        // |x|, |w| and |dz| are at most 1, so no sum exceeds 256, up to which bfloat16 has all integers: forward C·R·S, backward
        // data K·R·S, backward filter N·P·Q.
        ConvolutionShape[] shapes =
        [
            new(new TensorShape(2, 3, 9, 7), 5, 3, 3, 1, 1),
            new(new TensorShape(1, 8, 7, 9), 16, 3, 5, 2, 1, 1, 2),
            new(new TensorShape(2, 16, 5, 3), 24, 1, 1),
        ];
        var cases = new TheoryData<ConvolutionShape, DataType, bool>();
        foreach (ConvolutionShape shape in shapes)
            foreach (DataType type in Enum.GetValues<DataType>())
                foreach (bool isNhwc in (bool[])[true, false])
                    cases.Add(shape, type, isNhwc);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_OperandsAsTheyAre_EqualsPlainLoops(ConvolutionShape shape, DataType type, bool isNhwc) =>
        CheckAll(shape, type, TensorForm.Native(type) with { Layout = Layout(isNhwc) });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_ConvertedToFloat32_EqualsPlainLoops(ConvolutionShape shape, DataType type, bool isNhwc) =>
        CheckAll(shape, type, TensorForm.Native(DataType.Float32) with { Layout = Layout(isNhwc) });

    [Fact]
    public void Find_PointwiseConvolution_PrefersTheMatrixProduct()
    {
        using var fixture = new OperatorFixture();
        var shape = new ConvolutionShape(new TensorShape(2, 16, 5, 3), 24, 1, 1);
        ConvolutionOperator convolution = fixture.Own(ConvolutionOperator.Create(fixture.Stream, shape, Activation.Relu));

        Assert.All(Enum.GetValues<ConvolutionDirection>(), direction => Assert.Equal("cuBLASLt 0", convolution.MethodName(direction)));
        Assert.All(Enum.GetValues<ConvolutionDirection>(), direction =>
            Assert.Contains(convolution.Methods(direction).All, method => method.Name.StartsWith("cuDNN Float32 NHWC", StringComparison.Ordinal)));
    }

    [Fact]
    public void Find_NothingAdmitted_NamesTheProblemAndEveryRefusal()
    {
        using var fixture = new OperatorFixture();
        var shape = new ConvolutionShape(new TensorShape(2, 3, 5, 3), 4, 3, 3);
        var error = Assert.Throws<NotSupportedException>(() => ConvolutionMethods.Find(
            fixture.Stream, shape, Activation.None, new OperatorOptions { WorkspaceLimit = -1 }, ConvolutionDirection.Forward));
        Assert.StartsWith("Forward of convolution 2×3×5×3 → 4, 3×3 stride 1 pad 0 in Float32: the device supports it in no way (", error.Message, StringComparison.Ordinal);
        Assert.Matches(@"[(;] ?Float32 NHWC algorithm 0: needs \d+ bytes of workspace, the limit is -1[;)]", error.Message);
        Assert.Contains("Float32 NCHW algorithm", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryChoose_Name_DecidesWhatRuns()
    {
        using var fixture = new OperatorFixture();
        using ConvolutionMethods methods = ConvolutionMethods.Find(
            fixture.Stream, new ConvolutionShape(new TensorShape(2, 3, 5, 3), 4, 3, 3), Activation.Relu, new OperatorOptions(), ConvolutionDirection.Forward);
        string last = methods.All[^1].Name;
        Assert.NotEqual(last, methods.Current.Name);

        Assert.True(methods.TryChoose(last));
        Assert.Equal(last, methods.Current.Name);
        Assert.False(methods.TryChoose("cuDNN of tomorrow"));
        Assert.Equal(last, methods.Current.Name);
        Assert.Equal(methods.All.Count, methods.All.Select(method => method.Name).Distinct().Count());
    }

    private static cudnnTensorFormat_t Layout(bool isNhwc) => (isNhwc ? _nhwc : _nchw).Layout;

    private static void CheckAll(ConvolutionShape shape, DataType type, TensorForm form)
    {
        using var fixture = new OperatorFixture();
        float[] x = TestNumbers.Integers(shape.Input.Count, 1, 1), w = TestNumbers.Integers(shape.FilterCount, 1, 2);
        float[] b = TestNumbers.Integers(shape.K, 10, 3), dz = TestNumbers.Integers(shape.Output.Count, 1, 4);
        float[] y = PlainConvolution.Forward(shape, x, w, b);
        DeviceMemory deviceX = Upload(x), deviceW = Upload(w), deviceB = Upload(b), deviceDz = Upload(dz);

        Check(ConvolutionDirection.Forward, Activation.None, new(deviceX, deviceW, deviceB, default), y);
        Check(ConvolutionDirection.Forward, Activation.Relu, new(deviceX, deviceW, deviceB, default), [.. y.Select(value => Math.Max(value, 0))]);
        Check(ConvolutionDirection.BackwardData, Activation.Relu, new(deviceW, deviceDz, default, default), PlainConvolution.BackwardData(shape, w, dz));
        Check(ConvolutionDirection.BackwardFilter, Activation.Relu, new(deviceX, deviceDz, default, default), PlainConvolution.BackwardFilter(shape, x, dz));

        void Check(ConvolutionDirection direction, Activation activation, ConvolutionOperands operands, float[] expected)
        {
            using ConvolutionMethods methods = ConvolutionMethods.Find(
                fixture.Stream, shape, activation, new OperatorOptions { DataType = type }, direction, [form]);
            foreach (ConvolutionMethod method in methods.All)
            {
                DeviceMemory result = fixture.Output((long)expected.Length * type.Bytes());
                Assert.Null(method.Run(operands with { Result = result }, fixture.Output(method.WorkspaceBytes)));
                Comparison.Check<float>(Download(result), expected, [expected.Length], Tolerance.Exact, $"{direction} of {shape} by {method.Name}");
            }
        }

        DeviceMemory Upload(float[] values) => type switch
        {
            DataType.Float32 => fixture.Upload<float>(values),
            DataType.Float16 => fixture.Upload<Half>([.. values.Select(value => (Half)value)]),
            _ => fixture.Upload<ushort>([.. values.Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))]), // integers this small are exact
        };

        float[] Download(DeviceMemory memory) => type switch
        {
            DataType.Float32 => fixture.Download<float>(memory),
            DataType.Float16 => [.. fixture.Download<Half>(memory).Select(value => (float)value)],
            _ => [.. fixture.Download<ushort>(memory).Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))],
        };
    }
}
