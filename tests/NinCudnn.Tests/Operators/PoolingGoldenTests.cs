using NinCudnn.Devices;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class PoolingGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "maxpool2d", MemberType = typeof(GoldenSet))]
    public void Pooling_MaxGolden_MatchesPyTorch(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] kernel = Integers(item, "kernel"), stride = Integers(item, "stride"), padding = Integers(item, "padding");
        Assert.True(stride[0] == stride[1] && padding[0] == padding[1], "the operator has one stride and one padding for both directions");
        Check(item, new PoolingShape(Layout.Shape(item.Shape("x")), PoolingMode.Max, kernel[0], kernel[1], stride[0], padding[0]));
    }

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "global_avg_pool", MemberType = typeof(GoldenSet))]
    public void Pooling_GlobalAverageGolden_MatchesPyTorch(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        TensorShape input = Layout.Shape(item.Shape("x"));
        Check(item, new PoolingShape(input, PoolingMode.Average, input.H, input.W, 1));
    }

    private static void Check(GoldenCase item, PoolingShape shape)
    {
        int[] xShape = item.Shape("x"), yShape = item.Shape("y");
        Assert.Equal(Layout.Shape(yShape), shape.Output);

        using var fixture = new OperatorFixture();
        Pooling pooling = fixture.Own(new Pooling(fixture.Stream, shape));
        DeviceMemory x = fixture.UploadNchw(item.Singles("x"), xShape), dy = fixture.UploadNchw(item.Singles("dy"), yShape);
        DeviceMemory y = fixture.Output(shape.Output.Count * sizeof(float)), dx = fixture.Output(x.Bytes);
        pooling.Forward(x, y);
        pooling.Backward(x, y, dy, dx);

        item.Check("y", fixture.DownloadNchw(y, yShape));
        item.Check("dx", fixture.DownloadNchw(dx, xShape));
    }

    private static int[] Integers(GoldenCase item, string name) =>
        [.. item.Params.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}
