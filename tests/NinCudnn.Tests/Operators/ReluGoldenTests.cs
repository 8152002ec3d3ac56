using NinCudnn.Devices;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class ReluGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "relu", MemberType = typeof(GoldenSet))]
    public void Relu_Golden_MatchesPyTorch(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] shape = item.Shape("x");
        using var fixture = new OperatorFixture();
        Relu relu = fixture.Own(new Relu(fixture.Stream, Layout.Shape(shape)));
        DeviceMemory x = fixture.UploadNchw(item.Singles("x"), shape), dy = fixture.UploadNchw(item.Singles("dy"), shape);
        DeviceMemory y = fixture.Output(x.Bytes), db = fixture.Output(shape[1] * sizeof(float));
        relu.Forward(x, y);
        relu.Backward(y, dy, db, fixture.Output(relu.BackwardWorkspaceBytes));

        item.Check("y", fixture.DownloadNchw(y, shape));
        item.Check("dx", fixture.DownloadNchw(dy, shape));
    }
}
