// Trains on a folder of images, one subfolder per class, and says what a single image shows:
//
//     dotnet run -- FOLDER IMAGE
//
// Without arguments it draws a small folder of circles, squares and triangles first.

using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Training;
using OwnImages;

const int Size = 32; // height and width that all images are brought to
string folder = args.Length > 0 ? args[0] : ShapeImages.DrawFolder("shapes", perClass: 60);

// A fifth of each class is kept for testing, unless the folder has its own "train" and "test". Decoded images are cached.
ImageFolder images = ImageFolder.Open(folder);
var (train, test) = images.LoadBoth(new ImageFolderOptions { Height = Size, Width = Size, Channels = 3 });
Console.WriteLine($"{train.Count} images to train on, {test.Count} to test on, of {string.Join(", ", images.ClassNames)}");

// A small network for small images. Its last convolution has a channel for each class.
int classes = images.ClassNames.Count;
var net = new Architecture("small", InputChannels: 3, classes,
[
    new NinBlock(32, kernel: 5, stride: 1, padding: 2),
    new MaxPool(Window: 3, Stride: 2),
    new NinBlock(64, kernel: 3, stride: 1, padding: 1),
    new MaxPool(Window: 3, Stride: 2),
    new NinBlock(64, 3, 1, 1, PointwiseChannels: [64, classes]),
    new GlobalAveragePool(),
    new Flatten(),
]);

// A built-in recipe with some values changed: gentle steps, which suit a few hundred images.
TrainingRecipe recipe = TrainingRecipe.Quick with { ImageSize = Size, Epochs = 15, BatchSize = 16, LearningRate = 0.01, ClipNorm = 1 };

using Device device = Device.Open();
using (var trainer = new Trainer(device, net, recipe, train, test))
{
    TrainingResult result = trainer.Train();
    Console.WriteLine($"test accuracy {result.LastEpoch?.Test.Accuracy:F3} after {result.Elapsed.TotalSeconds:F0} s on {device.Name}");
    trainer.DownloadModel().Save("own-images.safetensors");
}

// The file has all that is needed to use the model: network, parameters, how the input is made, and the classes' names.
ModelFile model = ModelFile.Load("own-images.safetensors");
using Predictor predictor = Predictor.Load(device, model, Size, Size);
string image = args.Length > 1 ? args[1] : Path.Combine(folder, images.Images(DatasetSplit.Test)[0].RelativePath);
var pixels = new byte[predictor.ImageBytes];
ImageDecoder.Decode(image, Size, Size, isLuma: false, pixels);
var scores = new float[classes];
predictor.Predict(pixels, scores);
ClassScores.Softmax(scores, classes);
Console.WriteLine($"{image} shows:");
foreach (int label in ClassScores.Best(scores, count: 3))
    Console.WriteLine($"  {scores[label]:P1} {model.Description.ClassNames[label]}");
