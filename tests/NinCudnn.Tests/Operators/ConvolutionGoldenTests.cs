using NinCudnn.Devices;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class ConvolutionGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "conv2d", MemberType = typeof(GoldenSet))]
    public void ConvolutionOperator_Golden_MatchesPyTorch(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] xShape = item.Shape("x"), wShape = item.Shape("w"), yShape = item.Shape("y");
        int[] stride = Pair(item, "stride"), padding = Pair(item, "padding");
        var shape = new ConvolutionShape(Layout.Shape(xShape), wShape[0], wShape[2], wShape[3], stride[0], stride[1], padding[0], padding[1]);
        Assert.Equal(Layout.Shape(yShape), shape.Output);

        using var fixture = new OperatorFixture();
        ConvolutionOperator convolution = fixture.Own(ConvolutionOperator.Create(fixture.Stream, shape, Activation.None));
        Relu relu = fixture.Own(new Relu(fixture.Stream, shape.Output));
        DeviceMemory x = fixture.UploadNchw(item.Singles("x"), xShape), w = fixture.UploadNchw(item.Singles("w"), wShape);
        DeviceMemory b = fixture.Upload<float>(item.Singles("b")), dy = fixture.UploadNchw(item.Singles("dy"), yShape);
        DeviceMemory y = fixture.Output(shape.Output.Count * sizeof(float)), dx = fixture.Output(x.Bytes), dw = fixture.Output(w.Bytes);
        DeviceMemory db = fixture.Output(b.Bytes);

        convolution.Forward(x, w, b, y, fixture.Output(convolution.ForwardWorkspaceBytes));
        convolution.BackwardData(w, dy, dx, fixture.Output(convolution.BackwardDataWorkspaceBytes));
        convolution.BackwardFilter(x, dy, dw, fixture.Output(convolution.BackwardFilterWorkspaceBytes));
        // The bias gradient comes with the rectifier's backward pass; one that is open everywhere leaves dy as it is.
        DeviceMemory open = fixture.Upload<float>(Enumerable.Repeat(1f, (int)shape.Output.Count).ToArray());
        DeviceMemory dz = fixture.UploadNchw(item.Singles("dy"), yShape);
        relu.Backward(open, dz, db, fixture.Output(relu.BackwardWorkspaceBytes));

        item.Check("y", fixture.DownloadNchw(y, yShape));
        item.Check("dx", fixture.DownloadNchw(dx, xShape));
        item.Check("dw", fixture.DownloadNchw(dw, wShape));
        item.Check("db", fixture.Download<float>(db));
        Assert.Equal(item.Singles("x"), fixture.DownloadNchw(x, xShape));
        Assert.Equal(item.Singles("dy"), fixture.DownloadNchw(dz, yShape));
    }

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "conv2d", MemberType = typeof(GoldenSet))]
    public void ConvolutionOperator_GoldenWithRelu_IsPyTorchsOutputCutOffAtZero(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] xShape = item.Shape("x"), wShape = item.Shape("w"), yShape = item.Shape("y");
        int[] stride = Pair(item, "stride"), padding = Pair(item, "padding");
        var shape = new ConvolutionShape(Layout.Shape(xShape), wShape[0], wShape[2], wShape[3], stride[0], stride[1], padding[0], padding[1]);

        using var fixture = new OperatorFixture();
        ConvolutionOperator convolution = fixture.Own(ConvolutionOperator.Create(fixture.Stream, shape, Activation.Relu));
        DeviceMemory y = fixture.Output(shape.Output.Count * sizeof(float));
        convolution.Forward(
            fixture.UploadNchw(item.Singles("x"), xShape), fixture.UploadNchw(item.Singles("w"), wShape), fixture.Upload<float>(item.Singles("b")),
            y, fixture.Output(convolution.ForwardWorkspaceBytes));

        float[] expected = [.. item.Singles("y").Select(value => Math.Max(value, 0))];
        Comparison.Check<float>(fixture.DownloadNchw(y, yShape), expected, yShape, item.Tolerance("y"), $"golden case {name} with a rectifier");
    }

    private static int[] Pair(GoldenCase item, string name) => [.. item.Params.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}
